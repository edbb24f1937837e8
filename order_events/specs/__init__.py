"""The OpenAPI and AsyncAPI documents, generated from the routes and message models."""
