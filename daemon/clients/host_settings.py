"""A `[[host]]` table: one host of the network, and who is told of it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=128)]


class HostSettings(BaseModel):
    """Checked settings of one host. `address` is a name, an IPv4 or an IPv6 address."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Name
    address: Annotated[str, Field(min_length=1, max_length=255)]
    group: str = ""
    parent: str = ""  # the name of the host behind which it lies
    tcp_port: int | None = Field(default=None, ge=1, le=65_535)
    failures: int = Field(default=3, ge=1, le=100)
    successes: int = Field(default=2, ge=1, le=100)
    told: tuple[str, ...] = ()  # user names; empty tells the administrators
