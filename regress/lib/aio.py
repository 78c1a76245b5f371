"""asyncssh as a client: signals, exit-signal and many channels at once."""
import asyncio
import warnings

# Debian's asyncssh warns of ciphers that nobody asked for.
warnings.simplefilter("ignore")
import asyncssh

from wait import PATIENCE

SECONDS = 2 * PATIENCE


def connect(server, user, key=None, password=None, **more):
    """An asyncssh connection (a context manager), host key checked."""
    return asyncssh.connect(
        "127.0.0.1", server.port, username=user.name, config=None,
        known_hosts=server.known_hosts, agent_path=None,
        client_keys=[key] if key else None, password=password, **more)


def run(coroutine, timeout=SECONDS):
    """Run to the end, within a time."""
    async def bounded():
        return await asyncio.wait_for(coroutine, timeout)
    return asyncio.run(bounded())
