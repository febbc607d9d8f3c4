"""What must exist before the first run: the bucket, and the accounts of the trainer and the promoter.

Safe to run again: what exists already is left as it is, passwords included.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

ACCOUNTS = {"trainer": "TRAINER_PASSWORD", "promoter": "PROMOTER_PASSWORD"}


def make_bucket(name: str) -> None:
    """Make the bucket that MLflow keeps artifacts in."""
    import boto3

    s3 = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
    if name not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=name)


def make_accounts(client: Any) -> None:
    """Make the accounts: each may read everything, and change what it makes itself."""
    for name, variable in ACCOUNTS.items():
        unless_it_exists(client.create_user, name, os.environ[variable])
    # A verdict is told on the candidate's own run, which the trainer made.
    unless_it_exists(client.grant_user_permission, "promoter", "run", "*", "EDIT")


def unless_it_exists(make: Callable[..., object], *arguments: str) -> None:
    """Call `make`, and take "it exists already" for an answer."""
    from mlflow.exceptions import MlflowException

    try:
        make(*arguments)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def main() -> None:
    """Make what is missing."""
    from mlflow.server import get_app_client

    make_bucket("mlflow")
    client = get_app_client("basic-auth", tracking_uri=os.environ["MLFLOW_TRACKING_URI"])
    make_accounts(client)
    sys.stdout.write("The bucket and the accounts trainer and promoter exist.\n")


if __name__ == "__main__":
    main()
