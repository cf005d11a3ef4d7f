MODEL (
  name staging.ref_aca_county,
  kind SEED (
    path '../../../reference/aca/county.csv'
  ),
  owner network_analytics,
  grain county_fips,
  description 'Counties of the United States with Census region and rating area of plan year 2014. Which rating area does a county belong to?',
  columns (
    county_fips INT,
    county TEXT,
    state TEXT,
    state_name TEXT,
    region TEXT,
    rating_area INT
  ),
  column_descriptions (
    county_fips = 'FIPS code as a number: seeds drop leading zeros',
    county = 'name of the county',
    state = 'USPS code',
    state_name = 'name of the state',
    region = 'Census region',
    rating_area = 'rating area of the state'
  ),
  audits (
    not_null(columns := (
      county_fips
    )),
    unique_values(columns := (
      county_fips
    )),
    number_of_rows(threshold := 3000)
  )
)
