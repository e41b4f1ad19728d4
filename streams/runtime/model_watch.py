"""The churn model in use: read from its file at the start, and again whenever the file has changed."""

import logging
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from streams.core.churn.model import Model
from streams.core.churn.model_file import parse_model
from streams.errors import ConfigError
from streams.settings import Settings

log = logging.getLogger(__name__)

SHIPPED = "churn-model.toml"


def load_model(settings: Settings) -> Model | None:
    """The model the settings name, None where churn risk is off. Raises `ConfigError` with the field and the fix."""
    if not settings.risk.enabled:
        return None
    return read_model(Path(settings.risk.model)) if settings.risk.model else shipped_model()


@lru_cache(maxsize=1)
def shipped_model() -> Model:
    """The model of the package."""
    return parse_model((files("streams.core.churn") / SHIPPED).read_text("utf-8"))


def read_model(path: Path) -> Model:
    """The model in a file. Raises `ConfigError` with a line for each problem."""
    return _parsed(path, _text(path))


class ModelWatch:
    """Looks whether the model's file has changed; `refused` counts how often it could not be used.

    A change is taken when the file reads the same twice in a row, so that one half written is not. What
    cannot be used is logged once, and the model before stays.
    """

    def __init__(self, path: Path | None, model: Model) -> None:
        self.model = model
        self.refused = 0
        self._path = path
        self._seen: str | None = None
        self._judged: str | None = None

    @classmethod
    def of(cls, settings: Settings, model: Model | None) -> "ModelWatch | None":
        """A watch over the model in use; None where churn risk is off. The shipped model's file never changes."""
        return None if model is None else cls(Path(settings.risk.model) if settings.risk.model else None, model)

    def poll(self) -> Model | None:
        """The new model, if there is one; called every second or so."""
        if self._path is None:
            return None
        try:
            text = _text(self._path)
        except ConfigError as error:
            self._refuse(error, self._is_new(str(error)))
            return None
        return self._taken(self._path, text) if self._is_new(text) else None

    def _is_new(self, text: str) -> bool:
        """Whether this has been seen twice in a row, and not been judged before."""
        seen, self._seen = self._seen, text
        if text != seen or text == self._judged:
            return False
        self._judged = text
        return True

    def _refuse(self, error: ConfigError, is_new: bool) -> None:
        if is_new:
            self.refused += 1
            log.error("%s; churn risk goes on with %s", str(error).replace("\n", "; "), self.model.name)

    def _taken(self, path: Path, text: str) -> Model | None:
        try:
            found = _parsed(path, text)
        except ConfigError as error:
            self._refuse(error, is_new=True)
            return None
        if found.name == self.model.name:
            return None
        log.info("churn risk: %s takes the place of %s", found.name, self.model.name)
        self.model = found
        return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; name the churn model's file with risk.model") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8; save the churn model as UTF-8") from None


def _parsed(path: Path, text: str) -> Model:
    try:
        return parse_model(text)
    except ValueError as error:
        raise ConfigError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None
