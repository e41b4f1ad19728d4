"""The churn model in use: read from its file at the start, and again whenever the file has changed."""

import logging
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from streams.core.churn.churn_model import ChurnModel
from streams.core.churn.churn_model_file import parse_churn_model
from streams.errors import ConfigError
from streams.settings import Settings

log = logging.getLogger(__name__)

SHIPPED = "churn-model.toml"


def load_churn_model(settings: Settings) -> ChurnModel | None:
    """The model that the settings name; None where churn risk is off.

    Raises `ConfigError` with the field and the fix.
    """
    if not settings.risk.enabled:
        return None
    return read_churn_model(Path(settings.risk.model)) if settings.risk.model else shipped_churn_model()


@lru_cache(maxsize=1)
def shipped_churn_model() -> ChurnModel:
    """The model that comes with the package."""
    return parse_churn_model((files("streams.core.churn") / SHIPPED).read_text("utf-8"))


def read_churn_model(path: Path) -> ChurnModel:
    """The model in a file. Raises `ConfigError` with a line for each problem."""
    return _parsed(path, _text(path))


class ChurnModelWatch:
    """Takes over changes of the model's file while a worker runs; `refused` counts the changes it could not use.

    A change counts once the file reads the same twice in a row, so that a half-written file is never used. A file
    that cannot be used is logged once, and the model before stays in use.
    """

    def __init__(self, path: Path | None, model: ChurnModel) -> None:
        self.model = model
        self.refused = 0
        self._path = path
        self._last_text: str | None = None
        self._decided_text: str | None = None

    @classmethod
    def of(cls, settings: Settings, model: ChurnModel | None) -> "ChurnModelWatch | None":
        """A watch over the model in use; None where churn risk is off. The shipped model's file never changes."""
        return None if model is None else cls(Path(settings.risk.model) if settings.risk.model else None, model)

    def poll(self) -> ChurnModel | None:
        """The new model, if there is one; called about once a second."""
        if self._path is None:
            return None
        try:
            text = _text(self._path)
        except ConfigError as error:
            if self._is_new(str(error)):
                self._refuse(error)
            return None
        return self._take_over(self._path, text) if self._is_new(text) else None

    def _is_new(self, text: str) -> bool:
        """Whether this text, or error, was read twice in a row and not decided on before."""
        last, self._last_text = self._last_text, text
        if text != last or text == self._decided_text:
            return False
        self._decided_text = text
        return True

    def _refuse(self, error: ConfigError) -> None:
        self.refused += 1
        log.error("%s; churn risk goes on with model %s", str(error).replace("\n", "; "), self.model.name)

    def _take_over(self, path: Path, text: str) -> ChurnModel | None:
        try:
            model = _parsed(path, text)
        except ConfigError as error:
            self._refuse(error)
            return None
        if model.name == self.model.name:
            return None
        log.info("churn risk: model %s replaces %s", model.name, self.model.name)
        self.model = model
        return model


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; name the churn model's file with risk.model") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8; save the churn model as UTF-8") from None


def _parsed(path: Path, text: str) -> ChurnModel:
    try:
        return parse_churn_model(text)
    except ValueError as error:
        raise ConfigError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None
