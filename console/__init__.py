"""The operator's commands: what no tenant may do, done to the table and the queues with AWS credentials.

python -m console --stack packyard org create acme
make operator ARGS="--stack packyard key list acme"
"""
