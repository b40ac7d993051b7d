"""Providers' protocols as local servers: for rehearsals, for tests, and for nothing else.

What all of them share stands here: clock, account with its bill, files, faults, and the server itself. A
provider's own folder has its routes and what they answer; `protocols` names them. `plain` is a smaller
core, for protocols whose tests spoil single answers. Nothing here calls a public address, and nothing it
bills costs anything. `config` is light to import; `server` loads aiohttp.
"""
