{% macro word_heaps(examples) -%}
    {#- How often words occur in the examples of each dataset, in 64 heaps that a keyed hash puts them into.
        `examples` has the columns of `*_examples`, and dataset. Each word is hashed once. -#}
    select
        dataset,
        ('0x' || keyed_hmac(dataset || '.word', word)[:8])::bigint % 64 as bucket,
        sum(n_words)::bigint as n_words
    from (
        select
            dataset,
            word,
            count(*) as n_words
        from (
            select
                dataset,
                unnest(regexp_extract_all(lower(text), '\p{L}+')) as word
            from (
                select
                    dataset,
                    unnest(json_extract_string(messages, '$[*].content')) as text
                from {{ examples }}
            ) as texts
        ) as words
        group by all
    ) as counted
    group by all
{%- endmacro %}
