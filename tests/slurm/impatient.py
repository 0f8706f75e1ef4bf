"""Snakemake's command line, polling its jobs every second: the profile's waits suit real jobs."""

import asyncio
import sys

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor


async def one_second(_: RemoteExecutor) -> None:
    await asyncio.sleep(1)


RemoteExecutor.sleep = one_second
main(sys.argv[1:])
