MODEL (
  name staging.stg_aca_members,
  kind INCREMENTAL_BY_TIME_RANGE (
    time_column load_date
  ),
  owner member_analytics,
  grain (tenant_id, load_id, member_id),
  description 'Members of every extract: trimmed, in standard codes, one row per member and extract. What did the issuer say about a member on the day of an extract?',
  audits (
    not_null(columns := (tenant_id, load_id, member_id, dob, gender, state, county_fips)),
    unique_combination_of_columns(columns := (tenant_id, load_id, member_id)),
    accepted_values("column" := gender, is_in := ('F', 'M', 'X')),
    accepted_range("column" := age, min_v := 0, max_v := 130),
    staged_equals_landed(feed := 'aca_members', raw_table := raw.aca_members, key := (
      member_id
    ))
  )
);

WITH landed AS (
  SELECT
    *
  FROM raw.aca_members
  WHERE
    load_timestamp >= @start_ds::DATE AND load_timestamp < @end_ds::DATE + INTERVAL '1' DAY
), standardised AS (
  SELECT
    tenant_id,
    load_id,
    @clean(member_id) AS member_id,
    @clean(name) AS name,
    dob,
    @upper_code(gender) AS gender,
    @upper_code(state) AS state,
    @clean(county_fips) AS county_fips,
    @clean(zip) AS zip,
    UPPER(SUBSTRING(TRIM(region), 1, 1)) || LOWER(SUBSTRING(TRIM(region), 2)) AS region,
    @code(geographic_reporting) AS geographic_reporting,
    fpl_ratio,
    @code(clinical_segment) AS clinical_segment,
    @clean(broker_id) AS broker_id,
    @clean(broker_name) AS broker_name,
    @clean(general_agency_id) AS general_agency_id,
    @clean(general_agency_name) AS general_agency_name,
    portal_registered,
    wellness_enrolled,
    care_management_enrolled,
    high_cost_member,
    @code(mutually_exclusive_hcc_condition) AS mutually_exclusive_hcc_condition,
    @code(plan_metal) AS plan_metal,
    @upper_code(plan_network_access_type) AS plan_network_access_type,
    year,
    @clean(household_id) AS household_id,
    tobacco_use,
    extracted_at,
    load_timestamp,
    source_line,
    @age_in_years(dob, extracted_at) AS age,
    ROW_NUMBER() OVER (PARTITION BY load_id, @clean(member_id) ORDER BY source_line DESC) AS line_rank
  FROM landed
)
SELECT
  tenant_id::TEXT AS tenant_id, /* issuer */
  load_id::BIGINT AS load_id, /* batch that brought the row */
  member_id::TEXT AS member_id, /* the issuer's id of the member */
  name::TEXT AS name, /* full name */
  dob::DATE AS dob, /* date of birth */
  gender::TEXT AS gender, /* F, M or X */
  age::INT AS age, /* completed years on the day of the extract */
  @age_group(age)::TEXT AS age_group, /* age band on the day of the extract */
  state::TEXT AS state, /* state of residence */
  county_fips::TEXT AS county_fips, /* county of residence */
  zip::TEXT AS zip, /* ZIP code of residence */
  region::TEXT AS region, /* Census region of residence */
  geographic_reporting::TEXT AS geographic_reporting, /* metro, micro or rural */
  fpl_ratio::DECIMAL(7, 4) AS fpl_ratio, /* household income over the federal poverty line */
  clinical_segment::TEXT AS clinical_segment, /* segment assigned by the issuer */
  broker_id::TEXT AS broker_id, /* broker of record */
  broker_name::TEXT AS broker_name, /* name of the broker */
  general_agency_id::TEXT AS general_agency_id, /* general agency of the broker */
  general_agency_name::TEXT AS general_agency_name, /* name of the general agency */
  portal_registered::BOOLEAN AS portal_registered, /* has a portal account */
  wellness_enrolled::BOOLEAN AS wellness_enrolled, /* takes part in a wellness programme */
  care_management_enrolled::BOOLEAN AS care_management_enrolled, /* is in care management */
  high_cost_member::BOOLEAN AS high_cost_member, /* the issuer's own high-cost flag */
  mutually_exclusive_hcc_condition::TEXT AS mutually_exclusive_hcc_condition, /* the one condition group the member counts under */
  plan_metal::TEXT AS plan_metal, /* metal level of the present plan */
  plan_network_access_type::TEXT AS plan_network_access_type, /* network access of the present plan */
  year::INT AS year, /* plan year the row is reported for */
  household_id::TEXT AS household_id, /* household that the member belongs to */
  tobacco_use::BOOLEAN AS tobacco_use, /* says to use tobacco */
  extracted_at::TIMESTAMP AS extracted_at, /* when the source was read */
  load_timestamp::TIMESTAMP AS load_timestamp, /* when the batch landed */
  load_timestamp::DATE AS load_date, /* day the batch landed: the increment */
  source_line::INT AS source_line /* line of the source file */
FROM standardised
WHERE
  line_rank = 1
