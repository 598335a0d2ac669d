"""`/v1/analyze`, and `/v1/jobs` for what takes longer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, BinaryIO

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse
from python_multipart.multipart import parse_options_header

from ectopy.service.analyses import Analyses, Job
from ectopy.service.child import REQUEST, UPLOAD
from ectopy.service.limits import MIB, RefusedError
from ectopy.service.routes.analyze_docs import ANSWERS, BODY, JOB_ANSWERS
from ectopy.service.uploads import Form, Spool, body
from ectopy.wire import AnalysisOut
from ectopy.wire import Job as JobOut

router = APIRouter(prefix="/v1", tags=["analyses"])


async def _analyses(request: Request) -> Analyses:  # a plain function would go through a thread
    analyses: Analyses = request.app.state.analyses
    return analyses


AnalysesDep = Annotated[Analyses, Depends(_analyses)]


@router.post(
    "/analyze",
    summary="Analyse a recording",
    response_model=AnalysisOut,
    responses=ANSWERS,
    openapi_extra={"requestBody": BODY},
)
async def analyze(request: Request, analyses: AnalysesDep) -> Response:
    """Verdicts for samples as JSON, or for the files of one record as a form. What takes longer than some 10 seconds is
    answered as a job. A record's annotations are not used."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind == b"application/json":
        return await _samples(request, analyses)
    if kind == b"multipart/form-data":
        return await _files(request, analyses, options.get(b"boundary", b""))
    raise RefusedError("expected samples as application/json, or files as multipart/form-data", 415)


@router.get("/jobs/{job_id}", summary="How far a job is", response_model=JobOut, responses=JOB_ANSWERS)
async def find_job(job_id: str, analyses: AnalysesDep) -> Response:
    """Its state, how far it is, and its result once it is done. A job that has ended is kept for an hour, while not too
    many are."""
    job = analyses.find(job_id)
    message = _told(job)
    if job.state != "done":
        return Response(message, media_type="application/json")
    return _streamed(message.removesuffix(b"null}"), job.open_result(), b"}")  # `result` is its last field


@router.delete("/jobs/{job_id}", summary="Cancel a job", response_model=JobOut, responses=JOB_ANSWERS)
async def cancel_job(job_id: str, analyses: AnalysesDep) -> Response:
    """End it, where it is still under way, and delete its result. The answer is its last state."""
    job = analyses.find(job_id)
    await analyses.drop(job)
    return Response(_told(job), media_type="application/json")


async def _samples(request: Request, analyses: Analyses) -> Response:
    """A strip goes to a worker. What is longer would keep strips waiting: it is treated as a file."""
    limits = analyses.limits
    pieces, head = body(request, limits.json_bytes), bytearray()
    async for piece in pieces:
        head += piece
        if len(head) > limits.strip_bytes:
            break
    else:
        return Response(await analyses.strip(bytes(head)), media_type="application/json")
    async with analyses.open() as job:
        spool = Spool(job.folder, limits.spare_bytes)
        spool.add(REQUEST, bytes(head))
        async for piece in pieces:
            spool.add(REQUEST, piece)
            await spool.write()
        await spool.write(all_of_it=True)
        return await _answered(request, analyses, job, None)


async def _files(request: Request, analyses: Analyses, boundary: bytes) -> Response:
    limits = analyses.limits
    async with analyses.open() as job:
        spool = Spool(job.folder / UPLOAD, limits.spare_bytes)
        form = Form(boundary, spool, limits)
        async for piece in body(request, limits.upload_bytes):
            form.feed(piece)
            await spool.write()
        form.close()
        await spool.write(all_of_it=True)
        return await _answered(request, analyses, job, form.model)


async def _answered(request: Request, analyses: Analyses, job: Job, model: str | None) -> Response:
    """The result, if it comes soon; else the job."""
    work = analyses.begin(job, model)
    gone = asyncio.create_task(_gone(request))
    try:
        done, _ = await asyncio.wait({work, gone}, timeout=analyses.limits.wait_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
    if done == {gone}:
        raise RefusedError("the connection was closed, and the analysis cancelled", 400)
    if work not in done:
        return Response(_told(job), 202, {"Location": f"/v1/jobs/{job.id}"}, "application/json")
    if job.reason is not None:
        raise RefusedError(job.reason, job.status)
    result = job.open_result()
    await analyses.drop(job)
    return _streamed(b"", result, b"")


async def _gone(request: Request) -> None:
    """Returns when nobody waits for the answer any more."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _told(job: Job) -> bytes:
    message = JobOut(id=job.id, state=job.state, progress=job.progress, reason=job.reason)
    return message.model_dump_json().encode()


def _streamed(head: bytes, result: BinaryIO, tail: bytes) -> Response:
    """JSON around a result, which may be long: it is read as it is sent, on other threads."""

    def pieces() -> Iterator[bytes]:
        with result:
            yield head
            while piece := result.read(MIB):
                yield piece
            yield tail

    return StreamingResponse(pieces(), media_type="application/json")
