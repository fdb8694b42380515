"""What config.json can say: the fields of transformers' configuration classes, for every family that has a fixture."""

import dataclasses
import json

import transformers
from transformers import CONFIG_MAPPING, PretrainedConfig

from ..paths import FIXTURES

_COMMON = {field.name for field in dataclasses.fields(PretrainedConfig)} - {"tie_word_embeddings"}


def _fields(config: type[PretrainedConfig]) -> dict[str, object]:
    """Names and defaults; a value that JSON cannot hold is left open."""
    found = {}
    for field in dataclasses.fields(config):
        if field.name in _COMMON or field.name.endswith("_config"):
            continue
        default = None if field.default is dataclasses.MISSING else field.default
        if field.name == "rope_parameters":
            default = getattr(config(), field.name)  # what the class makes of none
        found[field.name] = list(default) if isinstance(default, tuple) else default
    return found


def _parts(config: PretrainedConfig) -> dict[str, PretrainedConfig]:
    return {name: getattr(config, name) for name in (config.sub_configs or {}) if getattr(config, name, None) is not None}


def build() -> int:
    """Write config-fields/fields.json. Nothing is random."""
    types: dict[str, dict[str, object]] = {}
    parts: dict[str, dict[str, str]] = {}
    for path in sorted(FIXTURES.glob("*/model/config.json")):
        written = json.loads(path.read_text(encoding="utf-8"))
        model_type = written["model_type"]
        # Of families whose config.json goes three levels deep, only a part is loaded; models that transcribe are opened by another door.
        if model_type not in CONFIG_MAPPING or "omni" in model_type or model_type == "whisper":
            continue
        config = CONFIG_MAPPING[model_type].from_dict(written)
        types[model_type] = _fields(type(config))
        for name, part in _parts(config).items():
            types[part.model_type] = _fields(type(part))
            parts.setdefault(model_type, {}).setdefault(name, part.model_type)
    folder = FIXTURES / "config-fields"
    folder.mkdir(exist_ok=True)
    content = {"oracle": f"transformers {transformers.__version__}", "types": types, "parts": parts}
    (folder / "fields.json").write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


BUILDERS = {"config-fields": build}
READS_FIXTURES = True
