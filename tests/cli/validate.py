"""validate.py SCHEMA FILE...: what is wrong with each file, by an implementation that is not ours."""

import json
import sys

import jsonschema


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


schema = load(sys.argv[1])
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for path in sys.argv[2:]:
    errors = [error.message for error in validator.iter_errors(load(path))]
    print(f"{path}: {'; '.join(errors) or 'valid'}")
