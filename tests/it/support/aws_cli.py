"""The `aws` command of the tests: reads a command line as the AWS CLI does and makes the call through botocore.

It knows what generated scripts use: `aws SERVICE OPERATION --option value.. --option=value --query JMESPATH --output
text|json`, lists of words, JSON, and the shorthand `Name=..,Values=a,b`. As there, a value that begins with `file://` is what
that file holds. Anything else is an error, as it would be there.
"""

import json
import re
import sys

import botocore.exceptions
import botocore.session
import jmespath
from botocore import xform_name


def options(words):
    found, name = {}, None
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if name in found:
                sys.exit(f"aws: --{name} stands twice")
            found[name] = [value] if equals else []
        elif name is None:
            sys.exit(f"aws: what is `{word}`?")
        else:
            found[name].append(word)
    return found


def shorthand(text):
    entry, key = {}, None
    for part in text.split(","):
        named = re.match(r"(\w+)=(.*)", part, re.S)
        if named:
            key = named[1]
            entry[key] = [named[2]]
        else:
            entry[key].append(part)
    return entry


def read_from(words):
    """What stands for a place to read a value from is read, for a parameter as a whole."""
    if len(words) == 1 and words[0].startswith(("file://", "fileb://")):
        with open(words[0].partition("://")[2], encoding="utf-8") as file:
            return [file.read()]
    return words


def value_of(shape, words):
    if shape.type_name == "list":
        if len(words) == 1 and words[0].startswith("["):
            return json.loads(words[0])
        return [value_of(shape.member, [word]) for word in words]
    (word,) = words
    if shape.type_name == "structure":
        if word.startswith("{"):
            return json.loads(word)
        entry = shorthand(word)
        members = shape.members
        return {key: value_of(members[key], values if members[key].type_name == "list" else [",".join(values)])
                for key, values in entry.items()}
    if shape.type_name == "map":
        return json.loads(word)
    if shape.type_name in ("integer", "long"):
        return int(word)
    if shape.type_name == "boolean":
        return {"true": True, "false": False}[word]
    return word


def as_text(value):
    if value is None:
        return "None"
    if isinstance(value, list):
        if any(isinstance(row, list) for row in value):
            return "\n".join(as_text(row) for row in value)
        return "\t".join(as_text(cell) for cell in value)
    return str(value)


def main(words):
    service, operation, *rest = words
    given = options(rest)
    region = given.pop("region", [None])[0]
    query = given.pop("query", [None])[0]
    output = given.pop("output", ["json"])[0]
    client = botocore.session.get_session().create_client(service, region_name=region)
    method = operation.replace("-", "_")
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])
    shapes = {xform_name(name).replace("_", "-"): (name, shape) for name, shape in model.input_shape.members.items()}
    arguments = {}
    for name, words in given.items():
        if name not in shapes:
            sys.exit(f"aws: unknown option --{name}")
        member, shape = shapes[name]
        arguments[member] = value_of(shape, read_from(words))
    try:
        answer = getattr(client, method)(**arguments)
    except botocore.exceptions.ClientError as error:
        print(error, file=sys.stderr)
        sys.exit(254)
    answer.pop("ResponseMetadata", None)
    if query is not None:
        answer = jmespath.search(query, answer)
    text = as_text(answer) if output == "text" else json.dumps(answer, default=str)
    if text:
        print(text)


main(sys.argv[1:])
