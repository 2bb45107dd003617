"""The API's document: OpenAPI 3.1, generated here and served as files (decision 13).

    make openapi         writes functions/api_docs/openapi.json and functions/api_docs/index.html anew

Only those two files are deployed, so that no function starts slower for it.
"""
