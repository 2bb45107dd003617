"""The operator's commands do what no tenant may do. They use the table and the queues with AWS credentials.

python -m console --stack packyard org create acme
make operator ARGS="--stack packyard key list acme"
"""
