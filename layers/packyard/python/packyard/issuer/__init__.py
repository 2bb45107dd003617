"""The issuer of JSON Web Tokens, over HTTPS."""
