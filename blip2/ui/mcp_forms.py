"""What goes into a tool over MCP and comes out: schemas that MCP's clients take, pictures as text, answers as JSON.

Gradio's own schemas of lists of files and of free JSON are refused by MCP's checks, its lists of files stay unread, and
its answers are Python's notation. The functions here take the place of the methods of gradio's server that they name.
"""

import json
from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio import processing_utils
from gradio.utils import get_upload_folder
from gradio_client import handle_file
from gradio_client.utils import is_file_obj_with_meta

PICTURE = "a data URL, such as data:image/png;base64,iVBOR…, or, where the server allows those, an http(s) address"
Schema = dict[str, Any]


def input_schema(server: Any, tool: str, parameters: dict[str, str] | None = None) -> tuple[Schema, list[list[str]]]:
    """`get_input_schema`: the arguments of a tool as a JSON schema, and the names of those that are files."""
    about = parameters or {}
    if tool not in server.tool_to_endpoint:
        raise ValueError(f"There is no tool {tool!r}; choose one of {', '.join(server.tool_to_endpoint)}.")
    given = server.api_info["named_endpoints"][server.tool_to_endpoint[tool]]["parameters"]
    properties, files = {}, []
    for each in given:
        name, form = each["parameter_name"], each["type"]
        made = {key: value for key, value in form.items() if key in ("type", "enum", "items") and value}
        if "gradio.FileData" in json.dumps(form):
            files.append([name])
            one = {"type": "string", "description": PICTURE}
            made = {"type": "array", "items": one} if form.get("type") == "array" else one
        said = "; ".join(filter(None, [about.get(name, "").rstrip("."), made.get("description", "")]))
        properties[name] = made | ({"description": said} if said else {})
        if each.get("parameter_default"):
            properties[name]["default"] = each["parameter_default"]
    required = [each["parameter_name"] for each in given if not each.get("parameter_has_default")]
    return {"type": "object", "properties": properties, "required": required}, files


def with_files(server: Any, arguments: dict[str, Any], files: list[list[str]]) -> dict[str, Any]:
    """`convert_strings_to_filedata`: the arguments with each text that stands for a file turned into it.

    Raises `ValueError` for a file's description in any other argument: gradio's client, which runs here, would read it
    from this machine's disk.
    """
    del server
    names = {name for (name,) in files}
    for name, value in arguments.items():
        if name not in names and "gradio.FileData" in json.dumps(value, ensure_ascii=False):
            raise ValueError(f"The argument {name} takes no file; leave it out.")
    return {name: _files(value) if name in names else value for name, value in arguments.items()}


def _files(value: Any) -> Any:
    if isinstance(value, list):
        return [_files(each) for each in value]
    if not isinstance(value, str) or not value:
        return None
    if value.startswith("data:"):
        return handle_file(processing_utils.save_base64_to_cache(value, get_upload_folder()))
    if value.startswith(("http://", "https://")):
        return handle_file(value)
    raise ValueError(f"{value[:60]!r} is no picture; give {PICTURE}.")


def without_state(components: Sequence[Any], data: Sequence[Any]) -> list[Any]:
    """`pop_returned_state`: a tool's values, which come as one tuple, less what a page would keep of the visit."""
    values = list(data[0]) if len(data) == 1 and isinstance(data[0], tuple) else list(data)
    if len(values) != len(components):
        return values
    return [value for value, component in zip(values, components, strict=True) if not isinstance(component, gr.State)]


def answers(server: Any, data: Sequence[Any], root_url: str, files: Any) -> list[Any]:
    """`postprocess_output_data`: values as JSON; `files` is gradio's own method, for what is a file."""
    made: list[Any] = []
    for output in data:
        if isinstance(output, str) or is_file_obj_with_meta(output):
            made += files(server, [output], root_url)
        else:
            made.append(server.types.TextContent(type="text", text=json.dumps(output, ensure_ascii=False)))
    return made
