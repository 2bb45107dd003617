#!/usr/bin/env bash
# SAM CLI's `start-api` loses a Lambda authorizer that is named by its alias.
#
# The SAM specification lets FunctionArn be any ARN, and a function with AutoPublishAlias has `!Ref Function.Alias`
# (AWS SAM developer guide, "Generated CloudFormation resources"): the ARN of the alias, which a REST API then calls. One
# would expect `sam local start-api` to run that function. Seen: SAM CLI cannot find the function behind the reference, and
# the route keeps an authorizer that has no function. It then answers 401 to everybody, after one warning at its start.
# `!GetAtt Function.Arn` works, but on AWS it calls $LATEST and not the published version.
#
# This asks the code of SAM CLI that reads APIs out of templates (samcli/lib/providers/api_provider.py); no container.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check aws-sam-cli==1.170.0
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x
venv/bin/sam --version

template() {
    cat <<END
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.13, Handler: app.handler, CodeUri: ., AutoPublishAlias: live}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth:
        DefaultAuthorizer: Key
        Authorizers: {Key: {FunctionArn: $1}}
  Authorize: {Type: AWS::Serverless::Function}
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /hello, Method: GET}}
END
}

cat >ask.py <<'END'
import logging
import sys
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

logging.disable(logging.CRITICAL)
stacks, _ = SamLocalStackProvider.get_stacks(sys.argv[1])
(route,) = ApiProvider(stacks, "").api.routes
print(getattr(route.authorizer_object, "lambda_name", None))
END

template '!Ref Authorize.Alias' >alias.yaml
template '!GetAtt Authorize.Arn' >arn.yaml
by_alias=$(venv/bin/python ask.py alias.yaml)
by_arn=$(venv/bin/python ask.py arn.yaml)

echo "expected: both routes are authorized by the function Authorize"
echo "seen: by alias: $by_alias; by ARN: $by_arn"
[ "$by_alias" = None ] && [ "$by_arn" = Authorize ]
