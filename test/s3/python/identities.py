"""Makes an administrator, and a role with one policy, and turns on moto's checks of them: identities.py ENDPOINT POLICY."""

import json
import sys
import urllib.request

import boto3

endpoint, policy = sys.argv[1:]
settings = {"endpoint_url": endpoint, "region_name": "eu-central-1"}
iam = boto3.client("iam", **settings, aws_access_key_id="any", aws_secret_access_key="any")


def allow_everything():
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


iam.create_user(UserName="server")
iam.put_user_policy(UserName="server", PolicyName="everything", PolicyDocument=allow_everything())
key = iam.create_access_key(UserName="server")["AccessKey"]
role = iam.create_role(RoleName="vended", AssumeRolePolicyDocument=allow_everything())["Role"]
# moto looks at a role's policies and not at a session's, so the session's is given to the role.
iam.put_role_policy(RoleName="vended", PolicyName="session", PolicyDocument=policy)
turn_on = urllib.request.Request(f"{endpoint}/moto-api/reset-auth", data=b"0", headers={"content-type": "text/plain"})
urllib.request.urlopen(turn_on)
print(
    json.dumps(
        {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"], "roleArn": role["Arn"]}
    )
)
