"""The tests of this folder run on both databases."""

from databases import database, database_url, postgres

__all__ = ["database", "database_url", "postgres"]
