-- Choice of plans, premiums, tax credits, comings and goings.
WITH of_metals AS (
  SELECT plan_year, metal_tier, count(*) AS chosen, avg(monthly_premium) AS premium,
    avg(monthly_premium_net) AS net, avg((aptc_amount > 0)::INT) AS with_credit,
    avg((monthly_premium_net <= 10)::INT) AS nearly_free
  FROM selections GROUP BY ALL
), shares AS (
  SELECT *, 100.0 * chosen / sum(chosen) OVER (PARTITION BY plan_year) AS share,
    100.0 * chosen / sum(chosen) FILTER (metal_tier IN ('bronze', 'silver', 'gold'))
      OVER (PARTITION BY plan_year) AS share_of_three
  FROM of_metals
), by_income AS (
  SELECT plan_year, metal_tier, nearest.band, count(*) AS chosen
  FROM (
    SELECT *, CASE WHEN fpl_ratio IS NULL OR fpl_ratio < 0 THEN 'unknown'
      WHEN fpl_ratio < 1 THEN '<100' WHEN fpl_ratio <= 1.5 THEN '100-150'
      WHEN fpl_ratio <= 2 THEN '150-200' WHEN fpl_ratio <= 2.5 THEN '200-250'
      WHEN fpl_ratio <= 3 THEN '250-300' WHEN fpl_ratio <= 4 THEN '300-400'
      WHEN fpl_ratio <= 5 THEN '400-500' ELSE '>500' END AS band
    FROM selections
  ) AS nearest
  GROUP BY ALL
), incomes_2026 AS (
  SELECT band, 100.0 * sum(chosen) / sum(sum(chosen)) OVER () AS share,
    100.0 * sum(chosen) FILTER (metal_tier = 'bronze') / sum(chosen) AS bronze
  FROM by_income WHERE plan_year = 2026 GROUP BY band
), of_years AS (
  SELECT plan_year, avg(monthly_premium) AS premium,
    100 * avg((aptc_amount > 0)::INT) AS with_credit,
    avg(aptc_amount) FILTER (aptc_amount > 0) AS credit,
    100 * avg((NOT is_cancelled)::INT) AS effectuated,
    100 * avg((NOT is_known)::INT) AS new,
    100 * avg((enrollment_source = 'auto_renewal')::INT) FILTER (is_known) AS auto_of_known,
    100 * avg((gender = 'F')::INT) / avg((gender IN ('F', 'M'))::INT) AS female
  FROM selections GROUP BY plan_year
), february AS (
  SELECT year(month) AS year, avg(premium) AS premium, avg(premium - aptc) AS net,
    100 * avg((aptc > 0)::INT) AS with_credit,
    avg(aptc) FILTER (aptc > 0) AS credit,
    100 * avg((variant IN ('02', '03', '04', '05', '06'))::INT) AS reduced
  FROM months WHERE month(month) = 2 AND variant <> '00' GROUP BY ALL
), ages AS (
  SELECT CASE WHEN age < 18 THEN '<18' WHEN age < 26 THEN '18-25' WHEN age < 35 THEN '26-34'
      WHEN age < 45 THEN '35-44' WHEN age < 55 THEN '45-54' WHEN age < 65 THEN '55-64'
      ELSE '65+' END AS band, 100.0 * count(*) / sum(count(*)) OVER () AS share
  FROM months WHERE month = make_date(getvariable('mature'), 2, 1) GROUP BY ALL
), next_month AS (
  SELECT months.*, following.member_id IS NULL AS left_after,
    variant IN ('04', '05', '06') AS reduced, metal_tier = 'gold' AS gold,
    months.age BETWEEN 18 AND 34 AS young
  FROM months LEFT JOIN (SELECT tenant_id, member_id, month FROM months) AS following
    ON following.tenant_id = months.tenant_id AND following.member_id = months.member_id
    AND following.month = months.month + INTERVAL 1 MONTH
  WHERE year(months.month) = getvariable('mature') AND month(months.month) <= 11
), hazards AS (
  SELECT reduced, gold, young, count(*) AS months, sum(left_after::INT) AS leavers
  FROM next_month GROUP BY ALL
), ratios AS (
  -- Mantel-Haenszel rate ratios, each within the strata of the others.
  SELECT 'A26.csr' AS id,
    sum(e.leavers * o.months / (e.months + o.months))
      / sum(o.leavers * e.months / (e.months + o.months)) AS measured
  FROM hazards AS e JOIN hazards AS o USING (gold, young)
  WHERE e.reduced AND NOT o.reduced
  UNION ALL
  SELECT 'A26.gold', sum(e.leavers * o.months / (e.months + o.months))
      / sum(o.leavers * e.months / (e.months + o.months))
  FROM hazards AS e JOIN hazards AS o USING (reduced, young)
  WHERE e.gold AND NOT o.gold
  UNION ALL
  SELECT 'A26.young', sum(e.leavers * o.months / (e.months + o.months))
      / sum(o.leavers * e.months / (e.months + o.months))
  FROM hazards AS e JOIN hazards AS o USING (reduced, gold)
  WHERE e.young AND NOT o.young
), stayed AS (
  SELECT avg((december.member_id IS NULL)::INT) AS gone
  FROM months LEFT JOIN (
    SELECT tenant_id, member_id FROM months WHERE month = make_date(getvariable('mature'), 12, 1)
  ) AS december USING (tenant_id, member_id)
  WHERE month = make_date(getvariable('mature'), 2, 1)
)
SELECT 'A01' AS id, share_of_three AS measured FROM shares WHERE plan_year = 2024 AND metal_tier = 'bronze'
UNION ALL SELECT 'A02', share_of_three FROM shares WHERE plan_year = 2024 AND metal_tier = 'silver'
UNION ALL SELECT 'A03', share_of_three FROM shares WHERE plan_year = 2024 AND metal_tier = 'gold'
UNION ALL SELECT 'A04', sum(share) FROM shares
  WHERE plan_year = 2024 AND metal_tier IN ('catastrophic', 'platinum')
UNION ALL SELECT 'A05', share FROM shares WHERE plan_year = 2026 AND metal_tier = 'bronze'
UNION ALL SELECT 'A06.' || metal_tier, share FROM shares
  WHERE plan_year = 2025 AND metal_tier IN ('bronze', 'silver', 'gold')
UNION ALL SELECT MAP {'bronze': 'A07', 'silver': 'A08', 'gold': 'A09'}[metal_tier], premium FROM shares
  WHERE plan_year = 2024 AND metal_tier IN ('bronze', 'silver', 'gold')
UNION ALL SELECT 'A10.' || metal_tier, net FROM shares
  WHERE plan_year = 2024 AND metal_tier IN ('bronze', 'silver', 'gold')
UNION ALL SELECT 'A11', 100 * nearly_free FROM shares WHERE plan_year = 2024 AND metal_tier = 'silver'
UNION ALL SELECT 'A12.' || metal_tier, 100 * with_credit FROM shares
  WHERE plan_year = 2024 AND metal_tier IN ('bronze', 'silver', 'gold')
UNION ALL SELECT 'A13', with_credit FROM february WHERE year = 2025
UNION ALL SELECT 'A14', credit FROM february WHERE year = 2025
UNION ALL SELECT 'A15', credit FROM of_years WHERE plan_year = 2026
UNION ALL SELECT 'A16', with_credit FROM of_years WHERE plan_year = 2026
UNION ALL SELECT 'A17', premium FROM february WHERE year = 2025
UNION ALL SELECT 'A18', net FROM february WHERE year = 2025
UNION ALL SELECT 'A19', reduced FROM february WHERE year = 2025
UNION ALL SELECT 'A20', effectuated FROM of_years WHERE plan_year = 2025
UNION ALL SELECT 'A21.' || band, share FROM incomes_2026
UNION ALL SELECT 'A22.' || band, bronze FROM incomes_2026
  WHERE band IN ('100-150', '150-200', '200-250', '250-300', '300-400')
UNION ALL SELECT 'A23', auto_of_known FROM of_years WHERE plan_year = 2025
UNION ALL SELECT 'A24.' || plan_year, new FROM of_years WHERE plan_year IN (2025, 2026)
UNION ALL SELECT 'A25', 100 * gone FROM stayed
UNION ALL SELECT id, measured FROM ratios
UNION ALL SELECT 'A27', (SELECT count(*) FROM months WHERE month = make_date(getvariable('mature'), 12, 1))
  / (SELECT count(*) FROM months WHERE month = make_date(getvariable('mature'), 2, 1))
UNION ALL SELECT 'A28.' || band, share FROM ages
UNION ALL SELECT 'A29', female FROM of_years WHERE plan_year = getvariable('mature')
