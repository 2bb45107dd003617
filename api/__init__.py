"""The API's document: OpenAPI 3.1, put together here and served as files (decision 13).

    make openapi         writes functions/api_docs/openapi.json and functions/api_docs/index.html anew

Nothing of this is deployed but those two files, so no function pays for it when it starts.
"""
