{% macro estimate_tokens(text) -%}
    {#- Estimated tokens of a text: runs of up to six letters, of up to three digits, and every other
        visible character count one each. It needs no vocabulary, so it is the same on every machine. -#}
    len(regexp_extract_all({{ text }}, '\p{L}{1,6}|\p{N}{1,3}|[^\s\p{L}\p{N}]'))
{%- endmacro %}
