"""What templates ask about a flow that they were given."""

from django import template

from bokio_app.flows.models import Flow
from bokio_app.flows.progress import Progress, progress_of

register = template.Library()


@register.simple_tag
def progress(flow: Flow) -> Progress:
    """`{% progress flow as shown %}`: the flow's steps as lines, and why it waits."""
    return progress_of(flow)
