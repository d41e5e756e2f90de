with drawn as (

    {{ stratified_sample(
        ref('stg_pii_texts'),
        stratum='label',
        key='text_id',
        columns=[
            'label', 'text',
        ],
        n_per_stratum=var('sample_per_class'),
        seed=var('sample_seed'),
    ) }}

),

final as (

    {{ with_row_ids(
        'drawn',
        dataset='pii_texts',
        columns=[
            'label', 'text',
        ],
        subject=none,
    ) }}

)

select * from final
