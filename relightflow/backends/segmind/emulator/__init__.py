"""The provider's protocol as a local server: for rehearsals, for tests, and for nothing else.

It answers as docs/reference/emulator.md describes, keeps a bill of everything it would have charged,
and misbehaves on request. It never calls a public address, and nothing it bills costs anything.
`relightflow.backends.segmind.emulator.config` is light to import; `relightflow.backends.segmind.emulator.server` loads aiohttp.
"""
