"""The tests of the queue run on both databases."""

from databases import database, database_url, postgres

__all__ = ["database", "database_url", "postgres"]
