MODEL (
  name core.dim_geography,
  kind FULL,
  owner network_analytics,
  grain geography_sk,
  description 'Counties with state, Census region and rating area. Where do members live, and how is their premium rated there?',
  audits (
    not_null(columns := (geography_sk, county_fips, state)),
    unique_values(columns := (geography_sk, county_fips)),
    number_of_rows(threshold := 3000),
    has_unknown_member("column" := geography_sk)
  )
);

WITH counties AS (
  SELECT
    LPAD(county_fips::TEXT, 5, '0') AS county_fips,
    county,
    state,
    state_name,
    region,
    rating_area
  FROM staging.ref_aca_county
)
SELECT
  (
    @bigint_key(county_fips)
  )::BIGINT AS geography_sk, /* surrogate key of the county; -1 is the unknown */
  county_fips::TEXT AS county_fips, /* five-digit FIPS code */
  county::TEXT AS county, /* name of the county */
  state::TEXT AS state, /* USPS code of the state */
  state_name::TEXT AS state_name, /* name of the state */
  region::TEXT AS region, /* Census region */
  rating_area::INT AS rating_area /* rating area of the state, plan year 2014 */
FROM counties
UNION ALL
SELECT
  -1::BIGINT,
  'unknown'::TEXT,
  'unknown'::TEXT,
  'unknown'::TEXT,
  'unknown'::TEXT,
  'unknown'::TEXT,
  NULL::INT
