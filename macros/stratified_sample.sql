{% macro stratified_sample(relation, stratum, key, columns, n_per_stratum, seed, n_rows=0, strata=[]) -%}
    {#- The `n_per_stratum` rows of each stratum whose key hashes lowest; all rows when it is none.

        relation        what to sample
        stratum         column whose values are the strata
        key             column that is close to unique; rows that agree in it are ranked by `columns`
        columns         columns of the result
        n_per_stratum   rows per stratum, or none for every row
        seed            another seed draws another sample
        n_rows          about how many rows there are, best as a number; only speed depends on it
        strata          the strata to draw from, as texts, which is faster; all there are when empty

        Deterministic in data and seed, at any number of threads: the rank is hash(key) xor-ed with
        the seed, then the row itself. Where `strata` are named, only rows that rank low enough are
        taken up, four to eight times what is needed were all of equal size. That filter needs one
        column and constants alone, so DuckDB runs it right behind the scan, and casts in `relation`
        are computed for the few rows that pass. Where a stratum comes out short, a second scan
        takes up all of its rows.
        DuckDB promises no stable hash() across versions: a test with frozen values guards the lock.
    -#}
    {%- set list = columns | join(', ') -%}
    {%- set names = [] -%}
    {%- for name in strata -%}
        {%- do names.append("'" ~ name | replace("'", "''") ~ "'") -%}
    {%- endfor -%}
    {%- set names = names | join(', ') -%}
    {#- where rows are made of constants, as for a long IN, DuckDB does not know how far a query is -#}
    {%- set is_named = "list_contains([" ~ names ~ "], " ~ stratum ~ "::varchar)" -%}
    {%- if n_per_stratum is none %}
    select {{ list }} from {{ relation }}
    {%- if strata %} where {{ is_named }}{% endif %}
    {%- else %}
    {%- set seed_bits = "('0x" ~ local_md5('sealtune sample ' ~ seed)[:16] ~ "')::ubigint" -%}
    {%- set rank = "xor(hash(" ~ key ~ "), " ~ seed_bits ~ ")" -%}
    {#- a rank whose first n bits are zero is a hash that begins like the seed; DuckDB does not move
        xor() below a projection, since it might raise an error, but it does move a comparison -#}
    {%- set share = "4.0 * " ~ strata | length ~ " * (" ~ n_per_stratum ~ " + 8) / greatest(" ~ n_rows ~ ", 1)" -%}
    {%- set n_bits = "least(greatest(floor(-log2(" ~ share ~ ")), 0), 63)::integer" -%}
    {%- set free_bits = "(18446744073709551615::ubigint >> " ~ n_bits ~ ")" %}
    {%- if strata %}
    with candidates as materialized (

        select {{ rank }} as sample_rank, {{ list }}
        from {{ relation }}
        where hash({{ key }}) between {{ seed_bits }} & ~{{ free_bits }} and {{ seed_bits }} | {{ free_bits }}

    ),

    filled as (

        select coalesce(list(stratum), []) as strata
        from (
            select {{ stratum }}::varchar as stratum
            from candidates
            group by all
            having count(*) >= {{ n_per_stratum }}
        )

    ),

    short as (

        select told.stratum
        from (select unnest([{{ names }}]) as stratum, filled.strata from filled) as told
        where {{ n_bits }} > 0 and not list_contains(told.strata, told.stratum)

    ),

    ranked as (

        select * from candidates
        where {{ is_named }} and {{ stratum }} not in (select short.stratum from short)
        union all
        select {{ rank }} as sample_rank, {{ list }}
        from {{ relation }}
        where {{ stratum }} in (select short.stratum from short)

    )
    {%- else %}
    with ranked as (

        select {{ rank }} as sample_rank, {{ list }} from {{ relation }}

    )
    {%- endif %}

    select {{ list }}
    from ranked
    {#- one value to order by, which DuckDB keeps the n lowest of; of several it would sort all rows #}
    qualify
        row_number() over (partition by {{ stratum }} order by row(sample_rank, {{ list }})) <= {{ n_per_stratum }}
    {%- endif %}
{%- endmacro %}
