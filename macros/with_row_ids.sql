{% macro with_row_ids(relation, dataset, columns, subject=none, carried=[]) -%}
    {#- The rows of a relation with an opaque name each, and whose they are: columns row_id,
        subject_hmac, `columns`, which make the name, and `carried`, which do not.

        Rows that agree in all columns are told apart by their number, and by nothing of their source. -#}
    {%- set list = columns | join(', ') -%}
    select
        keyed_hmac('{{ dataset }}.row', concat_ws(chr(31), {{ list }}, copy_number)) as row_id,
        {{ subject_hmac(dataset, subject or 'null') }} as subject_hmac,
        {{ (columns + carried) | join(', ') }}
    from (
        select *, row_number() over (partition by {{ list }}) as copy_number
        from {{ relation }}
    )
{%- endmacro %}
