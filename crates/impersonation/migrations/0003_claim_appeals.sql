-- Somebody's claims that a decision settled, for appeals against it.
CREATE INDEX claims_by_decision ON claims (claimant, decision_id, claim_id)
    WHERE decision_id <> '';
