"""Cases: what a person says, routed to who must answer, answered, and confirmed by the person."""
