"""A typed client of Bokio's HTTP API. Start at `client.Bokio`; `errors` says what can go wrong."""
