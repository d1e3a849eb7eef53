"""Ground truth: path tracers behind one protocol."""

from luxel.trace.mitsuba import MitsubaTracer, TraceError
from luxel.trace.pool import Job, trace_jobs
from luxel.trace.tracer import Radiance, Tracer

__all__ = ["Job", "MitsubaTracer", "Radiance", "TraceError", "Tracer", "trace_jobs"]
