"""Holds a report against the published schema of its format: `validate.py sarif|ocsf|asff|junit FILE`.

SARIF: the JSON schema of OASIS (sarif-2.1.0.json). OCSF: the constraints of class 2003, written down by hand. ASFF: the
shapes of `securityhub:BatchImportFindings` as botocore has them, and the limits of its documentation. JUnit: what the
schemas of Ant's output demand (the Jenkins xUnit plugin's junit-10.xsd and the reverse-engineered JUnit.xsd), written
down by hand. Prints each violation; silent where there is none.
"""

import json
import sys
import xml.etree.ElementTree as ElementTree
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).parent


def by_json_schema(document, schema):
    import jsonschema

    schema = json.loads((HERE / schema).read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    for error in validator.iter_errors(document):
        yield f"{error.json_path}: {error.message[:300]}"


def asff(document):
    import botocore.session
    from botocore.validate import ParamValidator

    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    for start in range(0, len(document), 100):
        report = ParamValidator().validate({"Findings": document[start : start + 100]}, shape)
        if report.has_errors():
            yield report.generate_report()
    longest = {"Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024}
    statuses = {"PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"}
    labels = {"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"}
    for finding in document:
        for key, most in longest.items():
            if not 1 <= len(finding[key]) <= most:
                yield f"{key} has {len(finding[key])} characters"
        if finding["Compliance"]["Status"] not in statuses or finding["Severity"]["Label"] not in labels:
            yield f"{finding['Id']}: status or label"
        if finding["ProductArn"].split(":")[4] != finding["AwsAccountId"] or len(finding["AwsAccountId"]) != 12:
            yield f"{finding['Id']}: account"


# Element: required attributes, optional attributes, children in order.
JUNIT = {
    "testsuites": ({"tests", "failures", "errors"}, {"name", "time"}, ["testsuite"]),
    "testsuite": (
        {"name", "package", "id", "tests", "failures", "errors", "timestamp", "hostname", "time"},
        {"skipped"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "testcase": ({"name", "classname", "time"}, set(), ["skipped", "error", "failure"]),
    "failure": ({"type"}, {"message"}, []),
    "error": ({"type"}, {"message"}, []),
    "skipped": (set(), set(), []),
    "system-out": (set(), set(), []),
    "system-err": (set(), set(), []),
}


def junit(root):
    if root.tag != "testsuites":
        yield f"the root is {root.tag}"
    for element in root.iter():
        if element.tag not in JUNIT:
            yield f"unknown element {element.tag}"
            continue
        required, optional, children = JUNIT[element.tag]
        given = set(element.attrib)
        if required - given or given - required - optional:
            yield f"{element.tag}: attributes {sorted(given)}"
        order = [children.index(child.tag) if child.tag in children else -1 for child in element]
        if -1 in order or order != sorted(order):
            yield f"{element.tag}: children {[child.tag for child in element]}"
    for suite in root.iter("testsuite"):
        datetime.strptime(suite.get("timestamp"), "%Y-%m-%dT%H:%M:%S")
        counted = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
        for attribute, tag in counted.items():
            if int(suite.get(attribute)) != len(list(suite.iter(tag))):
                yield f"{suite.get('name')}: {attribute}"


def main(kind, path):
    text = Path(path).read_bytes()
    if kind == "junit":
        return junit(ElementTree.fromstring(text))
    document = json.loads(text)
    if kind == "asff":
        return asff(document)
    return by_json_schema(document, {"sarif": "sarif-2.1.0.json", "ocsf": "ocsf-1.5-compliance-finding.json"}[kind])


if __name__ == "__main__":
    violations = list(main(*sys.argv[1:]))
    print("\n".join(violations))
    sys.exit(bool(violations))
