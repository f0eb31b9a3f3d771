"""A chat with memory: Semantic Kernel on the database of this project, served by FastAPI."""
