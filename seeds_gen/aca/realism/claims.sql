-- Decisions on claims: denials, appeals, lags.
WITH decided AS (
  SELECT *, CASE
      WHEN denial_reason_code IN ('16', '18', '29', '226', '252') THEN 'administrative'
      WHEN denial_reason_code IN ('96', '204') THEN 'excluded'
      WHEN denial_reason_code IN ('119', '151') THEN 'benefit_limit'
      WHEN denial_reason_code IN ('197', '198', '288') THEN 'authorization'
      WHEN denial_reason_code = '50' THEN 'necessity'
      WHEN denial_reason_code IN ('26', '27', '31', '55') THEN 'not_covered'
      ELSE 'other' END AS bucket
  FROM lines
  WHERE claim_status IN ('paid', 'denied') AND year(service_date) = getvariable('mature')
), rates AS (
  SELECT in_network, 100 * avg((claim_status = 'denied')::INT) AS rate FROM decided GROUP BY ALL
), issuers AS (
  SELECT tenant_id, 100 * avg((claim_status = 'denied')::INT) AS rate FROM decided
  WHERE in_network GROUP BY ALL
), reasons AS (
  SELECT bucket, 100.0 * count(*) / sum(count(*)) OVER () AS share
  FROM decided WHERE in_network AND claim_status = 'denied' GROUP BY ALL
), denied_claims AS (
  SELECT DISTINCT tenant_id, claim_id FROM claims
  WHERE claim_status = 'denied' AND year(service_date) = getvariable('mature')
), latest_appeals AS (
  SELECT * FROM appeals
  QUALIFY row_number() OVER (PARTITION BY tenant_id, appeal_id ORDER BY extracted_on DESC) = 1
), volume AS (
  SELECT (SELECT count(*) FROM lines WHERE year(service_date) = getvariable('mature'))
    / (SELECT count(*) / 12 FROM months WHERE year(month) = getvariable('mature')) AS per_year
), steps AS (
  SELECT claim_type, service_date, adjudicated_date,
    paid_amount - coalesce(lag(paid_amount) OVER (
      PARTITION BY tenant_id, claim_id, line_number ORDER BY extracted_on), 0) AS paid
  FROM claims
  WHERE service_date < make_date(getvariable('mature'), 12, 31)
    AND year(service_date) = getvariable('mature')
), lags AS (
  SELECT claim_type = 'pharmacy' AS pharmacy, date_diff('month', service_date, adjudicated_date) AS lag, sum(paid) AS paid
  FROM steps WHERE adjudicated_date IS NOT NULL GROUP BY ALL
), completion AS (
  SELECT pharmacy, until, 100 * sum(paid) FILTER (lag <= until) / sum(paid) AS complete
  FROM lags CROSS JOIN (VALUES (0), (1), (2), (3), (6), (12)) AS points (until) GROUP BY ALL
), first_states AS (
  SELECT tenant_id, claim_id, bool_or(claim_status = 'pended') AS pended,
    median(adjudicated_date - received_date) FILTER (adjudicated_date IS NOT NULL) AS waited
  FROM (
    SELECT * FROM claims WHERE claim_type <> 'pharmacy' AND year(service_date) = getvariable('mature')
    QUALIFY row_number() OVER (PARTITION BY tenant_id, claim_id, line_number ORDER BY extracted_on) = 1
  )
  GROUP BY ALL
), weekdays AS (
  SELECT isodow(service_date) AS weekday, count(*) AS lines, count(DISTINCT service_date) AS days
  FROM (SELECT DISTINCT tenant_id, claim_id, service_date FROM lines
    WHERE year(service_date) = getvariable('mature'))
  GROUP BY ALL
), factors AS (
  SELECT weekday, (lines / days) / (sum(lines) OVER () / sum(days) OVER ()) AS factor FROM weekdays
), flu AS (
  SELECT 100 * avg((month(service_date) IN (12, 1, 2, 3))::INT) AS share
  FROM lines WHERE diagnosis_code = 'J10.1' AND year(service_date) = getvariable('mature')
), identities AS (
  SELECT 100 * avg((
    CASE WHEN claim_status = 'paid'
      THEN allowed_amount = paid_amount + deductible + copay + coinsurance
        AND allowed_amount <= claim_amount
      ELSE allowed_amount + paid_amount + deductible + copay + coinsurance = 0
        AND (denial_reason_code IS NOT NULL) = (claim_status = 'denied') END
  )::INT) AS share
  FROM claims
)
SELECT 'D01' AS id, rate AS measured FROM rates WHERE in_network
UNION ALL SELECT 'D02', rate FROM rates WHERE NOT in_network
UNION ALL SELECT 'D03.lowest', min(rate) FROM issuers
UNION ALL SELECT 'D03.highest', max(rate) FROM issuers
UNION ALL SELECT 'D04.' || bucket, share FROM reasons WHERE bucket <> 'not_covered'
UNION ALL SELECT 'D05', 100.0 * (SELECT count(*) FROM latest_appeals JOIN denied_claims USING (tenant_id, claim_id))
  / (SELECT count(*) FROM denied_claims)
UNION ALL SELECT 'D06', 100 * avg((outcome = 'upheld')::INT) FROM latest_appeals
  WHERE outcome <> 'open' AND year(filed_date) = getvariable('mature')
UNION ALL SELECT 'D07', per_year FROM volume
UNION ALL SELECT 'F01.' || weekday, factor FROM factors
UNION ALL SELECT 'F02.' || until, complete FROM completion WHERE NOT pharmacy
UNION ALL SELECT 'R06.' || until, complete FROM completion WHERE pharmacy AND until <= 1
UNION ALL SELECT 'F06', 100 * avg((NOT pended)::INT) FROM first_states
UNION ALL SELECT 'F07', median(waited) FROM first_states WHERE NOT pended
UNION ALL SELECT 'R07', share FROM flu
UNION ALL SELECT 'R08', share FROM identities
