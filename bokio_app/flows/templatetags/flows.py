"""What templates ask about a flow that they were given."""

from django import template

from bokio_app.flows.models import Flow, FlowState
from bokio_app.flows.progress import STATE_OF_FLOW, Progress, progress_of

register = template.Library()


@register.simple_tag
def progress(flow: Flow) -> Progress:
    """`{% progress flow as shown %}`: the flow's steps as lines, and why it waits."""
    return progress_of(flow)


@register.simple_tag
def state_of(flow: Flow) -> str:
    """The name of the flow's state in the components, which have a glyph for each."""
    return STATE_OF_FLOW[FlowState(flow.state)]
