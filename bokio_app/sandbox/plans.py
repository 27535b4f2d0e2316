"""What a company's price plan opens, and the answer where it does not.

Source: "Price Plan Requirements" of Bokio's documentation. Tokens and connections are never
blocked by a plan. Which plans have tags is known from an example only: `switches.TAGS_PLANS`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from bokio_app.sandbox import switches
from bokio_app.sandbox.models import Company, Plan
from bokio_app.sandbox.wire import Answer, json_answer


@dataclass(frozen=True)
class Feature:
    """A part of Bokio, and the plans it is included in or can be added to."""

    name: str
    included: Collection[Plan]
    addable: Collection[Plan] = ()

    def open_to(self, company: Company) -> bool:
        plan = Plan(company.plan)
        return (
            plan in self.included
            or plan == Plan.TRIAL
            or (plan in self.addable and company.has_integrations_addon)
        )

    def refused(self, company: Company) -> Answer:
        """403 of a company whose plan lacks the feature."""
        return json_answer(
            {
                "error": "price_plan_feature_required",
                "message": "The price plan of the company does not include this feature",
                "details": {
                    "requiredFeature": self.name,
                    "availableIn": [plan.value.capitalize() for plan in self.included],
                    "availableAsAddonIn": [plan.value.capitalize() for plan in self.addable],
                    "isAvailableInTrial": True,
                    "isInTrial": company.plan == Plan.TRIAL,
                },
            },
            403,
        )


PUBLIC_API = Feature("PublicApi", (Plan.PLUS, Plan.BUSINESS), addable=(Plan.PREMIUM,))
PRIVATE_API = Feature("PrivateApi", (Plan.PLUS, Plan.PREMIUM, Plan.BUSINESS))
TAGS = Feature(
    "Tags",
    tuple(Plan(name) for name in switches.TAGS_PLANS),
    addable=tuple(Plan(name) for name in switches.TAGS_ADDON_PLANS),
)
