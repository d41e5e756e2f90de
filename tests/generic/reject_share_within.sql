{% test reject_share_within(model, max_share) %}
    {#- Fails with one row when a `*_ingested` relation rejected a larger share of its records. -#}
    select
        coalesce(sum(n_rows) filter (outcome = 'read'), 0) as n_read,
        coalesce(sum(n_rows) filter (outcome = 'rejected'), 0) as n_rejected
    from {{ model }}
    having n_rejected > {{ max_share }} * n_read
{% endtest %}
