"""One application per test, in an empty workspace, with a token of its own."""

import pytest

from api.clients import application, client_of, signed_in
from databases import database_url, postgres

__all__ = ["database_url", "postgres"]


@pytest.fixture
def app(home):
    made = application()
    yield made
    made.state.warm_models.wait_closed()
    made.state.platform.close()


@pytest.fixture
def client(app):
    return signed_in(app)


@pytest.fixture
def stranger(app):
    """Return a client without a token."""
    return client_of(app)
