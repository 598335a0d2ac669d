"""How OpenAPI describes `/v1/analyze` and `/v1/jobs`: the body, examples, refusals."""

from __future__ import annotations

from typing import Any

from ectopy.service.routes._common import Problem
from ectopy.wire import AnalysisRequest
from ectopy.wire import Job as JobOut


def refusals(**why: str) -> dict[int | str, dict[str, Any]]:
    """Answers for OpenAPI: `_404="..."`."""
    return {int(status[1:]): {"model": Problem, "description": text} for status, text in why.items()}


_VERDICT = {
    "start_s": 0.0,
    "end_s": 5.0,
    "verdict": "abnormal",
    "score": 0.98,
    "heart_rate": 92.1,
    "quality": 0.94,
    "n_beats": 7,
    "n_abnormal": 2,
    "reason": "2 ventricular beats",
    "beats": [
        {
            "sample": 306,
            "time_s": 0.85,
            "aami": "V",
            "N": 0.01,
            "S": 0.01,
            "V": 0.98,
            "F": 0.0,
            "Q": 0.0,
            "rr_s": 0.41,
            "anomaly": 0.99,
            "differs": "wider than usual",
        }
    ],
    "findings": [],
    "model": "instant 09ab128a",
}
ANALYSIS = {
    "name": "",
    "fs": 360.0,
    "leads": ["II"],
    "calibrated": True,
    "model": "instant 09ab128a",
    "summary": {
        "duration_s": 5.0,
        "verdicts": {"normal": 0, "abnormal": 1, "unreadable": 0},
        "beats": {"N": 5, "V": 2},
        "heart_rate": 92.1,
        "unreadable_share": 0.0,
        "notes": [],
    },
    "episodes": [
        {
            "code": "ectopic burden",
            "priority": "low",
            "start_s": 3.0,
            "end_s": 5.0,
            "told_s": 5.0,
            "reason": "10 or more ventricular beats in a minute (limit 10)",
            "value": 10.0,
            "late": True,
        }
    ],
    "intervals": [_VERDICT],
}
JOB = {"id": "5f0c6d3e9a5b4c0f8d0e7a1b2c3d4e5f", "state": "running", "progress": 0.42, "reason": None, "result": None}
_STRIP = {"fs": 360, "leads": ["II"], "unit": "mV", "samples": [0.01, 0.02, None, 0.03]}

BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": AnalysisRequest.model_json_schema(ref_template="#/components/schemas/{model}"),
            "examples": {"strip": {"summary": "Samples; at least 2 s of them, null = missing", "value": _STRIP}},
        },
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {
                        "type": "array",
                        "minItems": 1,
                        "items": {"type": "string", "format": "binary"},
                        "description": "The files of one record (100.hea, 100.dat), or a zip archive of them",
                    },
                    "model": {"type": "string", "description": "Name of an installed model"},
                },
                "additionalProperties": False,
            }
        },
    },
}

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Its intervals and beats", "content": {"application/json": {"example": ANALYSIS}}},
    202: {
        "model": JobOut,
        "description": "It takes longer; ask the job that `Location` names",
        "headers": {"Location": {"schema": {"type": "string"}, "description": "/v1/jobs/{job_id}"}},
        "content": {"application/json": {"example": JOB}},
    },
    **refusals(
        _400="A file that is not what it says it is, a rate that can't be, no signal",
        _408="Nothing came for a minute",
        _413="Larger than allowed, or more memory or time needed than allowed",
        _415="Neither JSON nor a form",
        _422="No such request, model or lead; a file of the record is missing",
        _429="Too much is under way; `Retry-After` says when to send it again",
        _500="The analysis broke off",
        _503="No room on the disk",
    ),
}
JOB_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Its state", "content": {"application/json": {"example": JOB}}},
    **refusals(_404="No such job, or no longer"),
}
