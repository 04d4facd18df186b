"""A client made by grpcio-tools from the .proto files: python3 client.py HOST:PORT, the API key in CODEMESH_API_KEY.

Does what a caller does and prints what it saw as one JSON object.
"""

import hashlib
import json
import os
import sys

import grpc
from codemesh.execution.v1 import execution_pb2, execution_pb2_grpc
from codemesh.file.v1 import file_pb2, file_pb2_grpc
from codemesh.metering.v1 import metering_pb2_grpc  # noqa: F401  (it must be importable)
from codemesh.session.v1 import session_pb2, session_pb2_grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.wrappers_pb2 import Int64Value
from google.rpc import error_details_pb2, status_pb2

CHUNK_BYTES = 1 << 20


def main(address):
    metadata = [("authorization", "Bearer " + os.environ["CODEMESH_API_KEY"])]
    seen = {}
    with grpc.insecure_channel(address) as channel:
        sessions = session_pb2_grpc.SessionServiceStub(channel)
        executions = execution_pb2_grpc.ExecutionServiceStub(channel)
        files = file_pb2_grpc.FileServiceStub(channel)

        request = session_pb2.CreateSessionRequest(timeout=Duration(seconds=60))
        session = sessions.CreateSession(request, metadata=metadata).session.name
        try:
            seen["execution"] = execution(executions, metadata, session, "x = 6\nprint('out')\nx * 7")
            seen["state"] = execution(executions, metadata, session, "print(x)")
            seen["failure"] = execution(executions, metadata, session, "1 / 0")
            seen["cancelled"] = execution(executions, metadata, session, "print(1)\nwhile True: pass", cancel=True)
            seen["files"] = round_trip(files, metadata, session, os.urandom(3 * CHUNK_BYTES + 5))
            seen["refusal"] = refusal(sessions, metadata)
        finally:
            stopped = sessions.StopSession(session_pb2.StopSessionRequest(name=session), metadata=metadata).session
        seen["end"] = session_pb2.SessionState.Name(stopped.state)
    print(json.dumps(seen))


def execution(stub, metadata, session, source, cancel=False):
    code = execution_pb2.Code(language=execution_pb2.LANGUAGE_PYTHON, source=source)
    name, stdout, result, finished, sequence = "", b"", None, None, []
    for event in stub.Execute(execution_pb2.ExecuteRequest(session=session, code=code), metadata=metadata):
        sequence.append(event.sequence)
        kind = event.WhichOneof("event")
        if kind == "started":
            name = event.started.execution
        elif kind == "stdout":
            stdout += event.stdout.data
            if cancel:
                stub.CancelExecution(execution_pb2.CancelExecutionRequest(name=name), metadata=metadata)
        elif kind == "result":
            result = event.result.representations[0].text
        elif kind == "finished":
            finished = event.finished
    return {
        "gapless": sequence == list(range(1, len(sequence) + 1)),
        "stdout": stdout.decode(),
        "result": result,
        "outcome": execution_pb2.Outcome.Name(finished.outcome),
        "error": finished.error.name,
        "state_preserved": finished.state_preserved,
    }


def round_trip(stub, metadata, session, content):
    def parts():
        size = Int64Value(value=len(content))
        yield file_pb2.WriteFileRequest(
            header=file_pb2.WriteFileHeader(session=session, path="from-python.bin", size_bytes=size)
        )
        for start in range(0, len(content), CHUNK_BYTES):
            yield file_pb2.WriteFileRequest(chunk=content[start : start + CHUNK_BYTES])

    written = stub.WriteFile(parts(), metadata=metadata)
    received = hashlib.sha256()
    request = file_pb2.ReadFileRequest(session=session, path="from-python.bin")
    for response in stub.ReadFile(request, metadata=metadata):
        if response.WhichOneof("part") == "chunk":
            received.update(response.chunk)
    sent = hashlib.sha256(content).digest()
    return {"written": written.sha256 == sent, "read": received.digest() == sent}


def refusal(stub, metadata):
    try:
        stub.GetSession(session_pb2.GetSessionRequest(name="sessions/x"), metadata=metadata)
    except grpc.RpcError as error:
        trailers = {entry.key: entry.value for entry in error.trailing_metadata()}
        status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
        info = error_details_pb2.ErrorInfo()
        status.details[0].Unpack(info)
        return {"code": error.code().name, "reason": info.reason, "domain": info.domain}
    return None


main(sys.argv[1])
