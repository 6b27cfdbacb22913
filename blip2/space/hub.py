"""The Hub, for the one Space at hand: what is there now, and each way to change it. Only this module knows its client.

What the Hub refuses becomes a `SpaceUnusable` with a sentence; the token is in none of them. It knows no Spacefile but
the volumes' type.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blip2.errors import BadSetting, SpaceUnusable
from blip2.space.contents import Content
from blip2.space.spacefile import Volume

KEPT = ".gitattributes"  # the Hub's own file
TRIES = "try again in a few minutes."
SAID = {
    401: "The Hub did not accept the token; make a new one with write access at {endpoint}/settings/tokens.",
    402: "The Hub wants a paid plan for {repo} on this hardware; choose other hardware, or subscribe.",
    403: "The token may not {what}; make one with write access for the account that owns {repo}.",
    404: "The Hub knows no Space {repo} that this token may see; mend space.owner and space.name, or push it first.",
    409: "The Hub says that {repo} is being changed already; " + TRIES,
    429: "The Hub takes no more requests from this account now; " + TRIES,
}


@dataclass(frozen=True, slots=True)
class Live:
    """A Space as it is: files by path with the hash that the Hub gives, SHA-256 for LFS's and git's SHA-1 otherwise."""

    files: dict[str, str]
    variables: dict[str, str]
    secrets: tuple[str, ...]
    hardware: str
    sdk: str
    sdk_version: str
    private: bool
    stage: str
    sleep_seconds: int = 0
    volumes: tuple[Volume, ...] = ()
    commit: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """How far a Space is: the Hub's word for it, the commit that runs, and what went wrong."""

    name: str
    commit: str = ""
    message: str = ""


@dataclass
class Hub:
    """The Hub with a token. `endpoint` is its address, by default the public one or `HF_ENDPOINT`."""

    token: str = field(repr=False)
    endpoint: str | None = None

    def __post_init__(self) -> None:
        from huggingface_hub import HfApi, constants

        self.endpoint = (self.endpoint or constants.ENDPOINT).rstrip("/")
        self._api: Any = HfApi(endpoint=self.endpoint, token=self.token, library_name="blip2-studio")

    def account(self) -> str:
        """The name of the account that the token belongs to."""
        with self._said("ask whose token it is", "the account"):
            return str(self._api.whoami()["name"])

    def live(self, repo: str) -> Live | None:
        """The Space as it is now; None where there is none."""
        with self._said("read the Space", repo):
            from huggingface_hub.errors import RepositoryNotFoundError

            try:
                info = self._api.space_info(repo)
            except RepositoryNotFoundError as error:
                if error.response.status_code == 404:
                    return None
                raise
            tree = self._api.list_repo_tree(repo, recursive=True, repo_type="space")
            files = {
                each.path: each.lfs.sha256 if each.lfs else each.blob_id for each in tree if hasattr(each, "blob_id")
            }
            runtime = self._api.get_space_runtime(repo)
            variables = {key: each.value for key, each in self._api.get_space_variables(repo).items()}
            secrets = tuple(sorted(self._api.get_space_secrets(repo)))
        files.pop(KEPT, None)
        card = info.card_data.to_dict() if info.card_data is not None else {}
        return Live(
            files=files,
            variables=variables,
            secrets=secrets,
            hardware=_word(runtime.requested_hardware or runtime.hardware),
            sdk=str(info.sdk or ""),
            sdk_version=str(card.get("sdk_version", "")),
            private=bool(info.private),
            stage=_word(runtime.stage),
            sleep_seconds=max(int(runtime.sleep_time or 0), 0),
            volumes=tuple(_volume(each) for each in runtime.volumes or ()),
            commit=str(info.sha or ""),
            url=str(info.host or ""),
        )

    def create(self, repo: str, sdk: str, hardware: str, visibility: str) -> None:
        with self._said("create the Space", repo):
            self._api.create_repo(
                repo, repo_type="space", space_sdk=sdk, space_hardware=hardware, visibility=visibility, exist_ok=True
            )

    def set_visibility(self, repo: str, visibility: str) -> None:
        with self._said("change who may see the Space", repo):
            self._api.update_repo_settings(repo, visibility=visibility, repo_type="space")

    def set_variable(self, repo: str, key: str, value: str) -> None:
        with self._said("set variables", repo):
            self._api.add_space_variable(repo, key, value)

    def remove_variable(self, repo: str, key: str) -> None:
        with self._said("remove variables", repo):
            self._api.delete_space_variable(repo, key)

    def set_secret(self, repo: str, key: str, value: str) -> None:
        with self._said("set secrets", repo):
            self._api.add_space_secret(repo, key, value)

    def set_volumes(self, repo: str, volumes: Sequence[Volume]) -> None:
        from huggingface_hub import Volume as HubVolume

        with self._said("mount volumes", repo):
            if not volumes:
                self._api.delete_space_volumes(repo)
                return
            made = [
                HubVolume(
                    type=each.type,
                    source=each.source,
                    mount_path=each.mount_path,
                    path=each.path or None,
                    read_only=each.read_only,
                )
                for each in volumes
            ]
            self._api.set_space_volumes(repo, made)

    def set_hardware(self, repo: str, hardware: str) -> None:
        with self._said("choose its hardware", repo):
            self._api.request_space_hardware(repo, hardware)

    def set_sleep(self, repo: str, seconds: int) -> None:
        with self._said("choose when it sleeps", repo):
            self._api.set_space_sleep_time(repo, seconds)

    def commit(self, repo: str, put: Sequence[Content], removed: Sequence[str], message: str) -> str:
        """One commit that puts and removes files; returns its name."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations: list[Any] = [CommitOperationDelete(path) for path in removed]
        operations += [CommitOperationAdd(each.path, str(each.file) if each.file else each.data) for each in put]
        with self._said("write to the Space", repo):
            made = self._api.create_commit(repo, operations, commit_message=message, repo_type="space")
        return str(made.oid)

    def stage(self, repo: str) -> Stage:
        with self._said("see whether the Space runs", repo):
            runtime = self._api.get_space_runtime(repo)
        raw = runtime.raw
        return Stage(_word(runtime.stage), str(raw.get("sha") or ""), str(raw.get("errorMessage") or ""))

    def url(self, repo: str) -> str:
        """Where the Space answers."""
        with self._said("read the Space", repo):
            return str(self._api.space_info(repo).host or "").rstrip("/")

    @contextmanager
    def _said(self, what: str, repo: str) -> Iterator[None]:
        """Whatever the client raises becomes a sentence."""
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError

        try:
            yield
        except HfHubHTTPError as error:
            raise SpaceUnusable(self._sentence(error.response.status_code, error, what, repo)) from error
        except (httpx2.HTTPError, OSError, RuntimeError) as error:
            if isinstance(cause := error.__cause__, HfHubHTTPError):  # an upload says only that it failed
                raise SpaceUnusable(self._sentence(cause.response.status_code, cause, what, repo)) from error
            reason = self._short(error)
            raise SpaceUnusable(f"The Hub at {self.endpoint} cannot be reached ({reason}); {TRIES}") from error
        except ValueError as error:  # the client's own objections, such as to the README's front matter
            raise SpaceUnusable(f"The Hub's client would not {what}: {self._short(error)}.") from error

    def _sentence(self, status: int, error: Any, what: str, repo: str) -> str:
        if status in SAID:
            return SAID[status].format(endpoint=self.endpoint, repo=repo, what=what)
        if status >= 500:
            return f"The Hub failed (status {status}) when asked to {what}; {TRIES}"
        return f"The Hub refused to {what} (status {status}: {self._short(error.server_message or error)})."

    def _short(self, error: object) -> str:
        """One line of what the client says, without the token."""
        line = " ".join(str(error).split()) or type(error).__name__
        return line.replace(self.token, "…")[:200].rstrip(".")


def token_of(file: Path | None, environment: "dict[str, str] | Any") -> str:
    """The token in the file, or in `HF_TOKEN`. Raises `BadSetting` where there is none."""
    if file is not None:
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(
                f"The token's file {file} cannot be read; give one that holds a token and no more."
            ) from error
    else:
        token = environment.get("HF_TOKEN", "").strip()
    if not token or any(character.isspace() for character in token):
        raise BadSetting(
            "There is no token for the Hub; set HF_TOKEN, or give --token-file with a file that holds one."
        )
    return token


def _word(value: Any) -> str:
    """The Hub's word, whether its client made an enumeration of it or not."""
    return str(getattr(value, "value", value) or "")


def _volume(each: Any) -> Volume:
    return Volume(each.source, each.mount_path, each.type, each.path or "", bool(each.read_only))
