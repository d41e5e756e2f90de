{% macro line_hashes(examples) -%}
    {#- What versions of a dataset are compared by: keyed hashes of each example's line, of all before its
        answer and of its label, with its length and split. `examples` has the columns of `*_examples`, and
        dataset. -#}
    select
        dataset,
        split,
        fingerprint,
        keyed_hmac(dataset || '.prompt', from_json(messages, '["JSON"]')[:-2]::varchar) as prompt_hmac,
        keyed_hmac(dataset || '.label', label) as label_hmac,
        n_tokens
    from {{ examples }}
{%- endmacro %}
