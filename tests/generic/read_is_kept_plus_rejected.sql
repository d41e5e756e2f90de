{% test read_is_kept_plus_rejected(model) %}
    {#- Fails with one row when a `*_ingested` relation does not add up. -#}
    select
        coalesce(sum(n_rows) filter (outcome = 'read'), 0) as n_read,
        coalesce(sum(n_rows) filter (outcome = 'kept'), 0) as n_kept,
        coalesce(sum(n_rows) filter (outcome = 'rejected'), 0) as n_rejected
    from {{ model }}
    having n_read <> n_kept + n_rejected
{% endtest %}
