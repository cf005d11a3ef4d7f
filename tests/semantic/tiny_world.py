"""A tiny world whose every number can be worked out in the head, and its registry."""

COMMON = """\
    label: Some metric
    question: What was it?
    description: What it is.
    group: cost
    owner: tests
    direction: down
"""
REGISTRY = """
domain: tiny
description: Two issuers, four claims.
entities:
  plan:
    table: core.plan
    key: plan_sk
    description: Plans.
    joins: {issuer: issuer_id}
    dimensions:
      metal_tier: {label: Metal level, description: Metal level of the plan.}
  issuer:
    table: core.issuer
    key: issuer_id
    description: Issuers.
    dimensions:
      state: {label: State, description: State of the issuer.}
  claim:
    table: core.claim
    description: Claims.
    time: {service_date: day, paid_date: day}
    joins: {plan: plan_sk}
    dimensions:
      tenant_id: {label: Tenant, description: Tenant.}
      claim_type: {label: Claim type, description: Kind of claim.}
      is_urgent: {label: Urgent, description: Whether it was urgent., type: boolean}
      line_count: {label: Lines, description: Lines of the claim., type: integer}
  month:
    table: core.month
    description: Member months.
    time: {coverage_month: month}
    joins: {plan: plan_sk}
    dimensions:
      tenant_id: {label: Tenant, description: Tenant.}
  year:
    table: core.year
    description: Years.
    time: {year_start: year}
    dimensions:
      tenant_id: {label: Tenant, description: Tenant.}
metrics:
  paid:
    <common>
    unit: USD
    synonyms: [claims cost]
    measure: {of: claim, sum: paid_amount}
  paid_out:
    <common>
    unit: USD
    measure: {of: claim, sum: paid_amount, time: paid_date}
  gold_paid:
    <common>
    unit: USD
    measure: {of: claim, sum: paid_amount, where: "plan.metal_tier = 'gold'"}
  claims:
    <common>
    unit: claims
    measure: {of: claim, count: true}
  patients:
    <common>
    unit: members
    measure: {of: claim, distinct: member_id}
  median_paid:
    <common>
    unit: USD
    measure: {of: claim, median: paid_amount}
  largest_paid:
    <common>
    unit: USD
    measure: {of: claim, largest: paid_amount}
  member_months:
    <common>
    unit: months
    measure: {of: month, sum: members}
  members_in_force:
    <common>
    unit: members
    measure: {of: month, sum: members, last: true}
  paid_pmpm:
    <common>
    unit: USD per member month
    ratio: {numerator: paid, denominator: member_months, exposure: true}
  claims_per_1000:
    <common>
    unit: per 1,000 members and year
    ratio: {numerator: claims, denominator: member_months, scale: 12000}
  paid_per_claim:
    <common>
    unit: USD
    ratio: {numerator: paid, denominator: claims}
  unpaid_months:
    <common>
    unit: months
    derived: member_months - claims
  unpaid_per_claim_pair:
    <common>
    unit: ratio
    derived: unpaid_months / (claims / 2) / claims
  pmpm_over_claim:
    <common>
    unit: ratio
    derived: paid_pmpm / paid_per_claim
  yearly_score:
    <common>
    unit: score
    measure: {of: year, sum: score}
""".replace("    <common>\n", COMMON)

WORLD = """
CREATE SCHEMA core;
CREATE TABLE core.issuer (issuer_id TEXT, state TEXT);
INSERT INTO core.issuer VALUES ('n', 'TX'), ('s', NULL);
CREATE TABLE core.plan (plan_sk BIGINT, issuer_id TEXT, metal_tier TEXT);
INSERT INTO core.plan VALUES (1, 'n', 'gold'), (2, 's', 'silver');
CREATE TABLE core.claim (
  tenant_id TEXT, plan_sk BIGINT, member_id TEXT, claim_type TEXT, is_urgent BOOLEAN,
  line_count INTEGER, service_date DATE, paid_date DATE, paid_amount DECIMAL(14, 2)
);
INSERT INTO core.claim VALUES
  ('north', 1, 'a', 'lab', TRUE, 1, '2025-01-10', '2025-02-01', 100),
  ('north', 1, 'a', 'drug', FALSE, 2, '2025-01-20', '2025-01-25', 50),
  ('south', 2, 'b', 'lab', NULL, 1, '2025-02-05', NULL, 0),
  -- an orphan: its plan is in no dimension
  ('south', 9, 'c', 'lab', FALSE, 3, '2025-04-01', '2025-04-02', 30);
CREATE TABLE core.month (
  tenant_id TEXT, plan_sk BIGINT, coverage_month DATE, members INTEGER
);
INSERT INTO core.month VALUES
  ('north', 1, '2025-01-01', 2), ('north', 1, '2025-02-01', 3),
  ('south', 2, '2025-01-01', 5), ('south', 2, '2025-03-01', 4);
CREATE TABLE core.year (tenant_id TEXT, year_start DATE, score DECIMAL(9, 4));
INSERT INTO core.year VALUES ('north', '2025-01-01', 1.5);
"""
