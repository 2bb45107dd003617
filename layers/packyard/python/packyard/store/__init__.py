"""DynamoDB: keys, items and conditions; one module per entity."""
