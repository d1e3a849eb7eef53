"""The ledger: experiments run and compared, and what they say about the lab log's findings."""
