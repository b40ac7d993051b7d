"""What relights: one adapter a folder. A paid provider's folder has

- `hosts`: its addresses, as data of `http.hosts.ProviderHosts`;
- `models`: its models, as rows of a `table`;
- `responses`: which answers are its own words, and what they mean for money, around `http.verdicts.Verdicts`;
- how a call is followed (`queue`, `predictions`, `v2`, `tasks`): one look, for `http.queue.QueuePoller`;
- `history`, where calls have no name of ours: how records are asked for, and a raw row as a `HistoryRow`;
- `adapter`: these together, over `history.backend` or `http.named_backend`;
- `plugin`: the record by which all of that is found, without importing it.
"""
