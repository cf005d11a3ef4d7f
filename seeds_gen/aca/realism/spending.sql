-- Premium and claims per member month, concentration of spending and its persistence.
WITH covered AS (
  SELECT sum(premium) AS premium, count(*) AS months,
    avg(MAP {'catastrophic': .57, 'bronze': .6, 'silver': .7, 'gold': .8, 'platinum': .9}[metal_tier]) AS av,
    avg(curve.premium_ratio) AS rating
  FROM months JOIN age_curve AS curve ON curve.age = greatest(0, least(65, months.age))
  WHERE year(month) = getvariable('mature')
), spent AS (
  SELECT sum(paid_amount) AS paid, sum(allowed_amount) AS allowed
  FROM lines WHERE year(service_date) = getvariable('mature')
), premium_by_month AS (
  SELECT month(month) AS month, sum(premium) AS premium, count(*) AS members
  FROM months WHERE year(month) = getvariable('mature') GROUP BY ALL
), by_month AS (
  SELECT month(service_date) AS month, sum(paid_amount) AS paid, sum(allowed_amount) AS allowed
  FROM lines WHERE year(service_date) = getvariable('mature') GROUP BY ALL
), monthly AS (
  SELECT *, paid / members AS paid_pmpm, allowed / members AS allowed_pmpm
  FROM premium_by_month JOIN by_month USING (month)
), quarter AS (
  SELECT 100 * (sum(paid) / sum(premium)
    - sum(paid) FILTER (month <= 3) / sum(premium) FILTER (month <= 3)) AS below
  FROM monthly
), ranked AS (
  SELECT *, percent_rank() OVER (ORDER BY allowed, hash(member_id)) AS rank
  FROM full_years WHERE year = getvariable('mature')
), concentration AS (
  SELECT 100 * sum(allowed) FILTER (rank >= .99) / sum(allowed) AS top1,
    100 * sum(allowed) FILTER (rank >= .95) / sum(allowed) AS top5,
    100 * sum(allowed) FILTER (rank >= .90) / sum(allowed) AS top10,
    100 * sum(allowed) FILTER (rank < .50) / sum(allowed) AS bottom,
    100 * avg((allowed = 0)::INT) AS nothing,
    avg(allowed) FILTER (rank >= .99) AS top1_mean,
    avg(own_share) AS own_share
  FROM ranked
), pairs AS (
  SELECT a.tenant_id, a.member_id, a.allowed AS first_spent, b.allowed AS second_spent
  FROM full_years AS a JOIN full_years AS b USING (tenant_id, member_id)
  WHERE a.year = getvariable('mature') AND b.year = getvariable('mature') + 1
), ranks AS (
  SELECT percent_rank() OVER (ORDER BY first_spent, hash(member_id)) AS before,
    percent_rank() OVER (ORDER BY second_spent, hash(member_id, 1)) AS after
  FROM pairs
), persistence AS (
  SELECT 100 * avg((after >= .99)::INT) FILTER (before >= .99) AS top1,
    100 * avg((after < .50)::INT) FILTER (before < .50) AS bottom
  FROM ranks
), sharing AS (
  SELECT metal_tier, right(lines.plan_id, 2) AS variant, sum(paid_amount) AS paid, sum(allowed_amount) AS allowed
  FROM lines JOIN metals ON metals.tenant_id = lines.tenant_id AND metals.plan_id = lines.plan_id
    AND metals.effective_year = year(service_date)
  WHERE year(service_date) = getvariable('mature') GROUP BY ALL
), exposure AS (
  SELECT metal_tier, count(*) AS months FROM months
  WHERE year(month) = getvariable('mature') GROUP BY ALL
), trend AS (
  SELECT 100 * (max(pmpm) FILTER (year = getvariable('mature') + 1)
    / max(pmpm) FILTER (year = getvariable('mature')) - 1) AS rise
  FROM (
    -- The same months of both years, those whose claims have had time to come.
    SELECT year(month) AS year, sum(allowed) / sum(members) AS pmpm
    FROM (SELECT month, count(*) AS members FROM months GROUP BY ALL)
    JOIN (SELECT CAST(date_trunc('month', service_date) AS DATE) AS month,
        sum(allowed_amount) AS allowed FROM lines GROUP BY ALL) USING (month)
    WHERE month(month) <= 6 GROUP BY ALL
  )
), pmpm AS (
  SELECT metal_tier, sum(paid) / any_value(months) AS pmpm, sum(paid) / sum(allowed) AS share
  FROM sharing JOIN exposure USING (metal_tier) GROUP BY ALL
), ratios AS (
  SELECT 'R02.' || variant AS id, sum(paid) / sum(allowed) AS measured
  FROM sharing WHERE variant IN ('04', '05', '06') GROUP BY variant
)
SELECT 'B01' AS id, premium / months AS measured FROM covered
UNION ALL SELECT 'B03', av FROM covered
UNION ALL SELECT 'B04', rating FROM covered
UNION ALL SELECT 'B06', premium / months FROM covered
UNION ALL SELECT 'B07', paid / months FROM covered, spent
UNION ALL SELECT 'B08', 100 * paid / premium FROM covered, spent
UNION ALL SELECT 'B09', below FROM quarter
UNION ALL SELECT 'B10', paid / allowed FROM spent
UNION ALL SELECT 'B11', max(paid_pmpm) FILTER (month = 12) / max(paid_pmpm) FILTER (month = 2) FROM monthly
UNION ALL SELECT 'B12', max(allowed_pmpm) FILTER (month = 12) / max(allowed_pmpm) FILTER (month = 2) FROM monthly
UNION ALL SELECT 'C01', top1 FROM concentration
UNION ALL SELECT 'C02', top5 FROM concentration
UNION ALL SELECT 'C03', top10 FROM concentration
UNION ALL SELECT 'C04', bottom FROM concentration
UNION ALL SELECT 'C05', nothing FROM concentration
UNION ALL SELECT 'C06', top1_mean FROM concentration
UNION ALL SELECT 'C07', top1 FROM persistence
UNION ALL SELECT 'C08', bottom FROM persistence
UNION ALL SELECT 'C09', 12000.0 * count(*) FILTER (paid > 100000) / sum(months)
  FROM member_years WHERE year = getvariable('mature')
UNION ALL SELECT 'C10', own_share FROM concentration
UNION ALL SELECT id, measured FROM ratios
UNION ALL SELECT 'R03.' || metal_tier, share FROM pmpm WHERE metal_tier IN ('bronze', 'silver', 'gold')
UNION ALL SELECT 'R04.' || metal_tier, pmpm FROM pmpm WHERE metal_tier IN ('bronze', 'silver', 'gold')
UNION ALL SELECT 'R05', rise FROM trend
