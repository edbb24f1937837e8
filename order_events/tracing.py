"""Traces of OpenTelemetry: what became of a request, an utterance, an order, an event.

Off until `use` or `export` is called. Until then nothing here imports OpenTelemetry or does more
than look at one variable. A `Context` is a place in a trace, under which others can happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer, TracerProvider

S = TypeVar("S")
T = TypeVar("T")
Value = str | bool | int | float
TRACEPARENT = "traceparent"


class _Switch:
    """The tracer, while there is one."""

    tracer: Tracer | None = None


class Step:
    """Something that takes time in a trace. `context` is its place."""

    __slots__ = ("_span", "context")

    def __init__(self, span: Span, context: Context) -> None:
        self._span = span
        self.context = context

    def note(self, what: str, **attributes: Value) -> None:
        """Note that something happened meanwhile."""
        self._span.add_event(what, attributes)

    def end(self, **attributes: Value) -> None:
        """End it, once."""
        self._span.set_attributes(attributes)
        self._span.end()


def enabled() -> bool:
    """Return whether there are traces."""
    return _Switch.tracer is not None


def use(provider: TracerProvider | None) -> None:
    """Make traces with a provider from now on; None: make none."""
    _Switch.tracer = None if provider is None else provider.get_tracer("voice-ordering")


def export() -> Callable[[], None]:
    """Send traces over OTLP, as the standard variables `OTEL_…` say; return what ends that.

    Raises ImportError without the extra.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    named = Resource({"service.name": "voice-ordering"}).merge(Resource.create())
    provider = TracerProvider(resource=named)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use(provider)

    def stop() -> None:
        use(None)
        provider.shutdown()

    return stop


def received(carrier: Mapping[str, str]) -> Context | None:
    """Return the place that a request names in `traceparent`, if it names one."""
    if _Switch.tracer is None or TRACEPARENT not in carrier:
        return None
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    return TraceContextTextMapPropagator().extract(carrier)


def current() -> Context | None:
    """Return the place at which this runs."""
    if _Switch.tracer is None:
        return None
    from opentelemetry import context, trace  # noqa: PLC0415

    here = context.get_current()
    return here if trace.get_current_span(here).get_span_context().is_valid else None


def begin(name: str, parent: Context | None, **attributes: Value) -> Step | None:
    """Begin a step under `parent`, or a trace of its own; None if there are no traces."""
    if _Switch.tracer is None:
        return None
    from opentelemetry import context, trace  # noqa: PLC0415

    # An empty context: what happens to be current here must not become the parent.
    parent = context.Context() if parent is None else parent
    span = _Switch.tracer.start_span(name, parent, attributes=attributes)
    return Step(span, trace.set_span_in_context(span, parent))


@contextmanager
def step(name: str, parent: Context | None, **attributes: Value) -> Iterator[Step | None]:
    """Make a step of the block, and the place at which it runs. It ends with the block."""
    begun = begin(name, parent, **attributes)
    if begun is None:
        yield None
        return
    try:
        with within(begun.context):
            yield begun
    except BaseException as error:
        begun.end(**{"error.type": type(error).__qualname__})
        raise
    begun.end()


@contextmanager
def substep(name: str, **attributes: Value) -> Iterator[None]:
    """Make a step of the block if it runs at a place in a trace; begin no trace."""
    here = current()
    if here is None:
        yield
        return
    with step(name, here, **attributes):
        yield


@contextmanager
def within(place: Context | None) -> Iterator[None]:
    """Run the block at a place in a trace."""
    if place is None:
        yield
        return
    from opentelemetry import context  # noqa: PLC0415

    token = context.attach(place)
    try:
        yield
    finally:
        context.detach(token)


def carried(run: Callable[[S], T]) -> Callable[[S], T]:
    """Return a function that runs at this place, whichever thread calls it."""
    here = current()
    if here is None:
        return run

    def run_here(given: S) -> T:
        with within(here):
            return run(given)

    return run_here
